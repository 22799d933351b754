package books

import (
	"context"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"net/http"
	"strings"
	"time"
)

// call is the smallest XML-RPC client that can read Odoo: it knows strings, integers, booleans, lists and structs, and nothing of the
// product's own client.
func call(ctx context.Context, url, method string, args ...any) (any, error) {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0"?><methodCall><methodName>%s</methodName><params>`, method)
	for _, a := range args {
		b.WriteString("<param>")
		write(&b, a)
		b.WriteString("</param>")
	}
	b.WriteString("</params></methodCall>")
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(b.String()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "text/xml")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Params []value `xml:"params>param>value"`
		Fault  *value  `xml:"fault>value"`
	}
	if err := xml.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("%s: HTTP %d is no XML-RPC: %w", method, resp.StatusCode, err)
	}
	if answer.Fault != nil {
		return nil, fmt.Errorf("%s: fault %v", method, answer.Fault.decode())
	}
	if len(answer.Params) != 1 {
		return nil, fmt.Errorf("%s: answer with %d values", method, len(answer.Params))
	}
	return answer.Params[0].decode(), nil
}

func write(b *strings.Builder, v any) {
	b.WriteString("<value>")
	switch x := v.(type) {
	case string:
		fmt.Fprintf(b, "<string>%s</string>", html.EscapeString(x))
	case int:
		fmt.Fprintf(b, "<int>%d</int>", x)
	case bool:
		fmt.Fprintf(b, "<boolean>%d</boolean>", map[bool]int{true: 1}[x])
	case []any:
		b.WriteString("<array><data>")
		for _, e := range x {
			write(b, e)
		}
		b.WriteString("</data></array>")
	case map[string]any:
		b.WriteString("<struct>")
		for k, e := range x {
			fmt.Fprintf(b, "<member><name>%s</name>", html.EscapeString(k))
			write(b, e)
			b.WriteString("</member>")
		}
		b.WriteString("</struct>")
	default:
		panic(fmt.Sprintf("BUG: cannot write %T", v))
	}
	b.WriteString("</value>")
}

// value is one XML-RPC value; numbers are kept as the text on the wire, so that money never passes through a float.
type value struct {
	String *string `xml:"string"`
	Int    *string `xml:"int"`
	I4     *string `xml:"i4"`
	I8     *string `xml:"i8"`
	Double *string `xml:"double"`
	Bool   *string `xml:"boolean"`
	Array  *struct {
		Items []value `xml:"data>value"`
	} `xml:"array"`
	Struct *struct {
		Members []struct {
			Name  string `xml:"name"`
			Value value  `xml:"value"`
		} `xml:"member"`
	} `xml:"struct"`
}

// number is an integer or double as its text.
type number string

func (v value) decode() any {
	switch {
	case v.String != nil:
		return *v.String
	case v.Int != nil:
		return number(*v.Int)
	case v.I4 != nil:
		return number(*v.I4)
	case v.I8 != nil:
		return number(*v.I8)
	case v.Double != nil:
		return number(*v.Double)
	case v.Bool != nil:
		return *v.Bool == "1"
	case v.Array != nil:
		out := make([]any, len(v.Array.Items))
		for i, e := range v.Array.Items {
			out[i] = e.decode()
		}
		return out
	case v.Struct != nil:
		out := map[string]any{}
		for _, m := range v.Struct.Members {
			out[m.Name] = m.Value.decode()
		}
		return out
	}
	return nil
}
