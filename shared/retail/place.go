package retail

// PlaceOf is the location that a record speaks for, "" when it names none.
func PlaceOf(r Record) LocationCode {
	switch x := r.(type) {
	case Ticket:
		return x.Location
	case Drawer:
		return x.Location
	case Terminal:
		return x.Location
	case Location:
		return x.Code
	case Payment:
		return x.Location
	case Batch:
		return x.Location
	case SettledPayment:
		return x.Location
	case Dispute:
		return x.Location
	case ReadTo:
		return x.Location
	case Control:
		return x.Location
	}
	return ""
}
