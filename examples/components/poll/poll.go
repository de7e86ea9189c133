// A poll: who voted for what is its own, how often is a component's.
package main

import (
	"fmt"

	"poll/_generated/components"

	"weir.dev/go"
)

// Vote is a document of the table votes.
type Vote struct {
	Voter  string `json:"voter"`
	Choice string `json:"choice"`
}

// Ballot is what somebody votes for.
type Ballot struct {
	Voter   string   `json:"voter"`
	Choices []string `json:"choices"`
}

// Result is what came of the poll so far.
type Result struct {
	Votes  float64            `json:"votes"`
	Counts map[string]float64 `json:"counts"`
}

var votes = weir.NewTable[Vote]("votes")

// tally counts, in TypeScript: host codegen has written what it takes and gives.
var tally = components.Tally.Counts

func init() {
	weir.Mutation("poll:vote", vote)
	weir.Query("poll:result", result)
}

// vote takes a ballot: all of it, or nothing.
func vote(ctx *weir.MutationCtx, ballot Ballot) error {
	chosen := map[string]bool{}
	for _, choice := range ballot.Choices {
		if _, err := votes.Insert(ctx, Vote{ballot.Voter, choice}); err != nil {
			return err
		}
		if _, err := tally.Add.Run(ctx, components.TallyCountsAddArgs{Name: choice}); err != nil {
			return err
		}
		if chosen[choice] {
			return fmt.Errorf("%s votes for %s twice", ballot.Voter, choice)
		}
		chosen[choice] = true
	}
	return nil
}

// result gives the number of votes, and the counts.
func result(ctx *weir.QueryCtx) (Result, error) {
	count, err := votes.Query(ctx).Count()
	if err != nil {
		return Result{}, err
	}
	counts, err := tally.All.Run(ctx, weir.NoArgs{})
	return Result{float64(count), counts}, err
}

func main() {}
