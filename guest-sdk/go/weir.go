// Package weir is for writing Weir functions in Go: queries, mutations and actions are
// plain functions with typed arguments and results.
//
//	type Message struct {
//		User string `json:"user"`
//		Body string `json:"body"`
//	}
//
//	var messages = weir.NewTable[Message]("messages")
//
//	func init() {
//		weir.Mutation("chat:sendMessage", sendMessage)
//		weir.Query("chat:getMessages", getMessages)
//	}
//
//	func sendMessage(ctx *weir.MutationCtx, message Message) error {
//		_, err := messages.Insert(ctx, message)
//		return err
//	}
//
//	func getMessages(ctx *weir.QueryCtx) ([]weir.Doc[Message], error) {
//		newest, err := messages.Query(ctx).Order(weir.Desc).Take(50)
//		slices.Reverse(newest)
//		return newest, err
//	}
//
// # Values
//
// Fields have the names of their `json` tags, as with encoding/json. int64 and
// uint64 are `bigint`s to a JavaScript client, all other numbers are `number`s. A
// field that is a pointer, an [Optional], or marked `omitempty` may be missing.
//
// # Actions
//
// An [Action] waits for the world: it calls queries and mutations, each a transaction of its
// own, fetches from the web, and sleeps. Goroutines do so at the same time. Its clock goes on.
// An [HTTPAction] answers HTTP requests.
//
// # A call
//
// Each call runs in a fresh instance, whose memory is as the package's init
// functions left it when the module was built; nothing is left behind. The clock
// stands still and random numbers come from a seed.
package weir
