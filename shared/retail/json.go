package retail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

// Worded says what encoding/json found wrong in the words of who writes JSON, not of Go.
func Worded(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err
	}
	where := "the record"
	if wrong.Field != "" {
		where = fmt.Sprintf("%.80q", wrong.Field)
	}
	return fmt.Errorf("%s is of kind %s and should be %s", where, wrong.Value, wanted(wrong.Type))
}

// wanted is what a value of t is written as.
func wanted(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[json.Number]():
		return "a number"
	case reflect.TypeFor[time.Duration]():
		return "a number of nanoseconds"
	}
	switch t.Kind() {
	case reflect.String:
		return "a text in quotes"
	case reflect.Slice:
		return "a list in brackets"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return "a whole number"
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()) {
		return "a text in quotes, such as 12.30 USD"
	}
	return "an object in braces"
}

// Unambiguous refuses a record in which a name stands twice, itself or in one of the objects of its lists: encoding/json takes the last one, and
// which of two amounts was sold nobody can say. Names that differ in capitals alone are one, as encoding/json has it. What is no object is
// somebody else's business. Code invalid.
func Unambiguous(body []byte) error {
	fields, twice := names(body)
	for _, list := range []string{"lines", "tenders"} {
		var elements []json.RawMessage
		if twice == "" && json.Unmarshal(fields[list], &elements) == nil {
			for i := 0; i < len(elements) && twice == ""; i++ {
				_, twice = names(elements[i])
			}
		}
	}
	if twice == "" {
		return nil
	}
	return fault.Msg(fault.Invalid, "read record", fmt.Sprintf("the name %.40q stands twice in one place, and which of the two counts nobody can say: send it once", twice))
}

// names are an object's own fields by their names in small letters, and one that stands there twice.
func names(object []byte) (fields map[string]json.RawMessage, twice string) {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, ""
	}
	fields = map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		name, is := t.(string)
		var value json.RawMessage
		if err != nil || !is || d.Decode(&value) != nil {
			return fields, ""
		}
		if name = strings.ToLower(name); fields[name] != nil {
			return fields, name
		}
		fields[name] = value
	}
	return fields, ""
}
