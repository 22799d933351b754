package retail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
)

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
