package portico

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
)

// Limits of an answer. An ordinary row is 1.5 KB: ten thousand payments fit. The reader stops at the first byte beyond, so that an answer
// of any length costs no more than this.
const (
	MaxAnswer   = 16 << 20
	maxDepth    = 12 // Envelope/Body/PosResponse/Ver1.0/Transaction/report/row/group/value is nine
	maxElements = 600_000
	maxText     = 16 << 10 // of one value
)

// ErrTooLarge: the answer is over MaxAnswer; a narrower question gets a smaller one.
var ErrTooLarge = errors.New("the answer is too large")

// element is a piece of XML without its attributes and namespaces: the gateway puts nothing into them that a report needs.
type element struct {
	name string
	text string
	kids []element
}

// find returns the first child of that name.
func (e *element) find(name string) (*element, bool) {
	for i := range e.kids {
		if e.kids[i].name == name {
			return &e.kids[i], true
		}
	}
	return nil, false
}

// parse reads one document. There is no way to declare an entity in it: a document type is refused before anything of it is read.
func parse(body []byte) (element, error) {
	if len(body) > MaxAnswer {
		return element{}, fault.New(fault.Invalid, "read answer", fmt.Errorf("%w: over %d MB", ErrTooLarge, MaxAnswer>>20))
	}
	p := parser{dec: xml.NewDecoder(bytes.NewReader(body))}
	root, err := p.document()
	return root, fault.New(fault.Invalid, "read answer", err)
}

type parser struct {
	dec   *xml.Decoder
	count int
}

func (p *parser) document() (root element, err error) {
	found := false
	for {
		tok, err := p.dec.Token()
		switch {
		case errors.Is(err, io.EOF) && found:
			return root, nil
		case errors.Is(err, io.EOF):
			return root, errors.New("there is no XML in it")
		case err != nil:
			return root, err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if found {
				return root, errors.New("it holds more than one document")
			}
			found = true
			if root, err = p.element(t, 1); err != nil {
				return root, err
			}
		default:
			if err := harmless(tok); err != nil {
				return root, err
			}
		}
	}
}

// harmless refuses what a report never holds: document types with their entities, and instructions.
func harmless(tok xml.Token) error {
	switch t := tok.(type) {
	case xml.Directive:
		return errors.New("it declares a document type, which the gateway never does")
	case xml.ProcInst:
		if t.Target != "xml" {
			return fmt.Errorf("it holds a processing instruction %.40q", t.Target)
		}
	case xml.CharData:
		if len(bytes.TrimSpace(t)) > 0 {
			return errors.New("it holds text outside of its elements")
		}
	}
	return nil
}

func (p *parser) element(start xml.StartElement, depth int) (e element, err error) {
	if p.count++; p.count > maxElements || depth > maxDepth {
		return e, fmt.Errorf("it has more than %d elements or %d levels", maxElements, maxDepth)
	}
	e.name = start.Name.Local
	var text strings.Builder
	for {
		tok, err := p.dec.Token()
		if err != nil {
			return e, err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			kid, err := p.element(t, depth+1)
			if err != nil {
				return e, err
			}
			e.kids = append(e.kids, kid)
		case xml.CharData:
			if text.Len()+len(t) > maxText {
				return e, fmt.Errorf("the value of %.40s is over %d KB", e.name, maxText>>10)
			}
			text.Write(t)
		case xml.EndElement:
			if e.text = strings.TrimSpace(text.String()); e.text != "" && len(e.kids) > 0 {
				return e, fmt.Errorf("%.40s holds text between its elements", e.name)
			}
			return e, nil
		case xml.Directive, xml.ProcInst:
			return e, harmless(tok)
		}
	}
}

// write appends e to b with one spelling: no spaces, no namespaces, empty elements closed in one.
func (e *element) write(b *bytes.Buffer) {
	if e.text == "" && len(e.kids) == 0 {
		b.WriteString("<" + e.name + "/>")
		return
	}
	b.WriteString("<" + e.name + ">")
	_ = xml.EscapeText(b, []byte(e.text)) // a Buffer takes everything
	for i := range e.kids {
		e.kids[i].write(b)
	}
	b.WriteString("</" + e.name + ">")
}
