package weir

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"weir.dev/go/internal/abi"
)

// Header is names and values, in their order. Names are the same in capitals and small
// letters.
type Header [][2]string

// Get gives the first value of a header; "" if there is none.
func (header Header) Get(name string) string {
	for _, field := range header {
		if strings.EqualFold(field[0], name) {
			return field[1]
		}
	}
	return ""
}

// Values gives all values of a header.
func (header Header) Values(name string) []string {
	var values []string
	for _, field := range header {
		if strings.EqualFold(field[0], name) {
			values = append(values, field[1])
		}
	}
	return values
}

// Add adds a value.
func (header *Header) Add(name, value string) {
	*header = append(*header, [2]string{name, value})
}

// Set sets a header, in the place of all that it had.
func (header *Header) Set(name, value string) {
	rest := make(Header, 0, len(*header)+1)
	for _, field := range *header {
		if !strings.EqualFold(field[0], name) {
			rest = append(rest, field)
		}
	}
	*header = append(rest, [2]string{name, value})
}

// Redirect tells what is done about a response that sends the request on.
type Redirect string

const (
	// RedirectFollow follows it; so does "".
	RedirectFollow Redirect = "follow"
	// RedirectManual takes it for the response.
	RedirectManual Redirect = "manual"
	// RedirectError takes it for an error.
	RedirectError Redirect = "error"
)

// Request is one that an action makes, for [ActionCtx.Fetch], or one that an HTTP action is to
// answer.
type Request struct {
	// Method is in capitals; "" is GET.
	Method string
	// URL is all of it.
	URL    string
	Header Header
	// Body is the body; nil, of a request to be made: there is none. What comes in is read piece
	// by piece, each Read one at most. A *bytes.Reader, *bytes.Buffer or *strings.Reader goes out
	// at once, any other one as it gives its pieces.
	Body io.Reader
	// Redirect is for requests to be made.
	Redirect Redirect
}

// Response is what a request was answered with, or what an HTTP action answers.
type Response struct {
	// Status is the code; 0, of a response to be given, is 200.
	Status int
	Header Header
	// Body is as that of a [Request].
	Body io.Reader
	// URL is where a response came from, after all redirects.
	URL string
	// Redirected tells whether the request was sent on to there.
	Redirected bool
}

// Text is a response of a text.
func Text(status int, text string) *Response {
	header := Header{{"content-type", "text/plain;charset=UTF-8"}}
	return &Response{Status: status, Header: header, Body: strings.NewReader(text)}
}

// JSON is a response of a text of JSON, as encoding/json gives one.
func JSON(status int, text []byte) *Response {
	return &Response{Status: status, Header: Header{{"content-type", "application/json"}}, Body: bytes.NewReader(text)}
}

// Stream is a body that a function writes while it is sent. If the function fails, the reader
// sees that the body broke off.
func Stream(write func(out io.Writer) error) io.Reader {
	reader, writer := io.Pipe()
	go func() { _ = writer.CloseWithError(write(writer)) }()
	return reader
}

// OK tells whether the status is one of success: from 200 to 299.
func (response *Response) OK() bool { return response.Status >= 200 && response.Status < 300 }

// Text reads all of the body as text; what is not UTF-8 becomes U+FFFD.
func (response *Response) Text() (string, error) { return textOf(response.Body) }

// JSON reads all of the body as JSON into what into points to, as [Unmarshal] does.
func (response *Response) JSON(into any) error { return jsonOf(response.Body, into) }

// Close gives up the rest of the body, if nobody wants it.
func (response *Response) Close() error {
	if closer, ok := response.Body.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// Text reads all of the body as text; what is not UTF-8 becomes U+FFFD.
func (request *Request) Text() (string, error) { return textOf(request.Body) }

// JSON reads all of the body as JSON into what into points to, as [Unmarshal] does.
func (request *Request) JSON(into any) error { return jsonOf(request.Body, into) }

// Path gives the path of the URL, as it is written there.
func (request *Request) Path() string {
	if parsed, err := url.Parse(request.URL); err == nil {
		return parsed.EscapedPath()
	}
	return ""
}

// Query gives the first value of a parameter of the URL's query, and whether there is one.
func (request *Request) Query(name string) (string, bool) {
	parsed, err := url.Parse(request.URL)
	if err != nil {
		return "", false
	}
	values, ok := parsed.Query()[name]
	if !ok {
		return "", false
	}
	return values[0], true
}

func textOf(body io.Reader) (string, error) {
	read, err := readAll(body)
	if !utf8.Valid(read) {
		return strings.ToValidUTF8(string(read), "\uFFFD"), err
	}
	return string(read), err
}

func jsonOf(body io.Reader, into any) error {
	read, err := readAll(body)
	if err != nil {
		return err
	}
	return Unmarshal(read, into)
}

func readAll(body io.Reader) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	return io.ReadAll(body)
}

// Fetch sends a request, and gives the response when its head is there, whatever its status
// is. Goroutines fetch at the same time.
//
// The errors, by [CodeOf]: FetchFailed, for no connection, one that broke, or too many
// redirects; AddressRefused, for an address that the host does not connect to; FetchTimedOut;
// InvalidRequest; TooManyTasks, for more than 1,000 things at once. If the action's context is
// done before, see [ActionCtx.WithContext], the error is the context's own.
func (ctx *ActionCtx) Fetch(request *Request) (*Response, error) {
	head := requestHead{
		Method: request.Method, URL: request.URL, Headers: request.Header, Redirect: request.Redirect,
	}
	if head.Method == "" {
		head.Method = "GET"
	}
	if head.Redirect == "" {
		head.Redirect = RedirectFollow
	}
	whole, stream, err := handOver(request.Body)
	if err != nil {
		return nil, err
	}
	if stream != nil {
		head.Stream = Some(stream.number)
	}
	text, err := Marshal(head)
	if err != nil {
		return nil, err
	}
	sent, err := start(ctx.context, func() (uint32, *abi.Error) { return abi.Send(text, whole) })
	if err != nil {
		return nil, err
	}
	if stream != nil {
		go sendBeside(stream, request.Body, sent)
	}
	received, err := sent.wait(ctx.context)
	if err != nil {
		return nil, err
	}
	return responseOf(ctx.context, received)
}

// sendBeside writes a body while the action goes on; the response may come before its end. What
// fails to be read fails the request.
func sendBeside(stream *outgoing, body io.Reader, sent *pendingTask) {
	if err := stream.write(body); err != nil {
		sent.giveUp(err)
	}
}

type requestHead struct {
	Method   string           `json:"method"`
	URL      string           `json:"url"`
	Headers  Header           `json:"headers"`
	Redirect Redirect         `json:"redirect"`
	Stream   Optional[uint32] `json:"stream"`
}

type responseHead struct {
	Status     int     `json:"status"`
	URL        string  `json:"url"`
	Redirected bool    `json:"redirected"`
	Headers    Header  `json:"headers"`
	Stream     *uint32 `json:"stream"`
}

func responseOf(c context.Context, received []byte) (*Response, error) {
	var head responseHead
	if err := Unmarshal(received, &head); err != nil {
		return nil, err
	}
	return &Response{
		Status: head.Status, Header: head.Headers, URL: head.URL, Redirected: head.Redirected,
		Body: incomingOf(c, head.Stream),
	}, nil
}

type receivedRequest struct {
	Method  string  `json:"method"`
	URL     string  `json:"url"`
	Headers Header  `json:"headers"`
	Stream  *uint32 `json:"stream"`
}

type givenResponse struct {
	Status  int              `json:"status"`
	Headers Header           `json:"headers"`
	Stream  Optional[uint32] `json:"stream"`
}

// serve lets an HTTP action answer the request that its arguments tell of; it is over when all
// was sent.
func serve(args []byte, action func(*ActionCtx, *Request) (*Response, error)) error {
	var received receivedRequest
	if err := Unmarshal(args, &received); err != nil {
		return err
	}
	response, err := action(newActionCtx(), &Request{
		Method: received.Method, URL: received.URL, Header: received.Headers, Body: incomingOf(nil, received.Stream),
	})
	if err != nil {
		return err
	}
	if response == nil {
		return errors.New("the HTTP action gave neither a response nor an error")
	}
	return respond(response)
}

func respond(response *Response) error {
	head := givenResponse{Status: response.Status, Headers: response.Header}
	if head.Status == 0 {
		head.Status = 200
	}
	whole, stream, err := handOver(response.Body)
	if err != nil {
		return err
	}
	if stream != nil {
		head.Stream = Some(stream.number)
	}
	text, err := Marshal(head)
	if err != nil {
		return err
	}
	if failed := abi.Respond(text, whole); failed != nil {
		return fromHost(failed)
	}
	if stream == nil {
		return nil
	}
	return stream.write(response.Body)
}
