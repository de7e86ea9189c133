package main

import (
	"strings"

	"weir.dev/go"
)

func init() {
	weir.Query("context:time", time)
	weir.Query("context:randomNumbers", randomNumbers)
	weir.Query("context:identity", identity)
	weir.Query("context:logAll", logAll)
	weir.Query("context:logLines", logLines)
}

// time gives the time, twice.
func time(ctx *weir.QueryCtx) ([]float64, error) {
	return []float64{ctx.Now(), ctx.Now()}, nil
}

// randomNumbers gives the first random numbers of the call.
func randomNumbers(ctx *weir.QueryCtx, args counted) ([]float64, error) {
	numbers := make([]float64, args.Count)
	for i := range numbers {
		numbers[i] = ctx.Random()
	}
	return numbers, nil
}

// caller is who calls.
type caller struct {
	TokenIdentifier string `json:"tokenIdentifier"`
	Subject         string `json:"subject"`
	Issuer          string `json:"issuer"`
	Email           string `json:"email,omitempty"`
}

func identity(ctx *weir.QueryCtx) (*caller, error) {
	identity := ctx.Identity()
	if identity == nil {
		return nil, nil
	}
	claim, _ := identity.Claim("email")
	email, _ := claim.(string)
	return &caller{identity.TokenIdentifier(), identity.Subject(), identity.Issuer(), email}, nil
}

// logAll writes a line of each level.
func logAll(_ *weir.QueryCtx, args struct {
	Text string `json:"text"`
}) error {
	weir.Debugf("%s debug", args.Text)
	weir.Infof("%s info", args.Text)
	weir.Logf("%s log", args.Text)
	weir.Warnf("%s warn", args.Text)
	weir.Errorf("%s error", args.Text)
	return nil
}

// logLines writes numbered lines with a text of this length.
func logLines(_ *weir.QueryCtx, args struct {
	counted
	Bytes int `json:"bytes"`
}) error {
	text := strings.Repeat("x", args.Bytes)
	for number := range args.Count {
		weir.Logf("%d %s", number, text)
	}
	return nil
}
