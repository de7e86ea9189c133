// A chat: everyone sees the latest messages, as they come.
package main

import (
	"slices"

	"weir.dev/go"
)

// messagesShown is how many messages a client sees.
const messagesShown = 50

// Message is a document of the table messages.
type Message struct {
	User string `json:"user"`
	Body string `json:"body"`
}

var messages = weir.NewTable[Message]("messages")

func init() {
	weir.Mutation("chat:sendMessage", sendMessage)
	weir.Query("chat:getMessages", getMessages)
}

// sendMessage adds a message.
func sendMessage(ctx *weir.MutationCtx, message Message) error {
	_, err := messages.Insert(ctx, message)
	return err
}

// getMessages gives the latest messages, the oldest of them first.
func getMessages(ctx *weir.QueryCtx) ([]weir.Doc[Message], error) {
	latest, err := messages.Query(ctx).Order(weir.Desc).Take(messagesShown)
	slices.Reverse(latest)
	return latest, err
}

func main() {}
