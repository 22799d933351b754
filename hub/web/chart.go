package web

import (
	"github.com/tillpost/tillpost/shared/money"
)

// chart is bars for a drawing without script: standing ones for days, lying ones for everything that has a name. The table beside it holds the
// same figures, so that nobody needs the drawing.
type chart struct {
	Title         string
	Lying         bool
	Width, Height int
	Zero          int // where nothing is
	Bars          []bar
	Grid          []gridline
}

type bar struct {
	X, Y, W, H    int
	Label, Amount string
	LabelAt       int
	Below         bool // under nothing: more was returned than sold
	Show          bool // its label is drawn: not every day of a month has room
}

type gridline struct {
	At   int
	Text string
}

// datum is a name with its amount.
type datum struct {
	Label  string
	Amount money.Amount
}

// Sizes in units of the drawing, which is scaled to the page.
const (
	chartWide  = 1000
	chartHigh  = 240
	chartLeft  = 95 // room for amounts
	chartFoot  = 26 // room for labels
	rowHigh    = 26
	rowLeft    = 190 // room for names
	rowRight   = 130 // room for amounts
	labelsMost = 16  // that fit below
	rowsMost   = 40  // names in one drawing; the table has all
)

// span is the range that bars cover, always with nothing in it.
func span(data []datum) (low, high int64) {
	for _, d := range data {
		low, high = min(low, d.Amount.Minor), max(high, d.Amount.Minor)
	}
	if low == high {
		high = 1
	}
	return low, high
}

// scale maps an amount to length units of a drawing whose range is length long; a range too wide to multiply loses bits that nobody sees.
func scale(minor, low, high int64, length int) int {
	for high > 1<<40 || low < -1<<40 {
		minor, low, high = minor>>1, low>>1, high>>1
	}
	return int(minor * int64(length) / (high - low))
}

// standing draws a bar per day.
func standing(title string, data []datum) chart {
	c := chart{Title: title, Width: chartWide, Height: chartHigh + chartFoot}
	if len(data) == 0 {
		return c
	}
	low, high := span(data)
	c.Zero = chartHigh + scale(low, low, high, chartHigh-12)
	step := (chartWide - chartLeft) / len(data)
	each := (len(data) + labelsMost - 1) / labelsMost
	for i, d := range data {
		h := scale(d.Amount.Minor, low, high, chartHigh-12)
		b := bar{X: chartLeft + i*step + step/8, W: max(1, min(step*3/4, 60)), Y: c.Zero - h, H: h, Label: d.Label, Amount: amount(d.Amount), Show: i%each == 0}
		if h < 0 {
			b.Y, b.H, b.Below = c.Zero, -h, true
		}
		b.LabelAt = b.X + b.W/2
		c.Bars = append(c.Bars, b)
	}
	for _, m := range []int64{high, high / 2, 0, low} {
		if m != 0 || len(c.Grid) == 2 {
			c.Grid = append(c.Grid, gridline{c.Zero - scale(m, low, high, chartHigh-12), amount(money.Of(m, data[0].Amount.Currency))})
		}
	}
	return c
}

// lying draws a bar per name.
func lying(title string, data []datum) chart {
	data = data[:min(len(data), rowsMost)]
	c := chart{Title: title, Lying: true, Width: chartWide, Height: len(data)*rowHigh + 6}
	low, high := span(data)
	wide := chartWide - rowLeft - rowRight
	c.Zero = rowLeft - scale(low, low, high, wide)
	for i, d := range data {
		w := scale(d.Amount.Minor, low, high, wide)
		b := bar{X: c.Zero, Y: i*rowHigh + 5, W: w, H: rowHigh - 9, Label: clip(d.Label, 24), Amount: amount(d.Amount), LabelAt: i*rowHigh + 18, Show: true}
		if w < 0 {
			b.X, b.W, b.Below = c.Zero+w, -w, true
		}
		c.Bars = append(c.Bars, b)
	}
	return c
}
