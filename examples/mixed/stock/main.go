// The stock, in Go.
package main

import (
	"fmt"

	"weir.dev/go"
)

// Stock is how much there is of an item, and what one costs.
type Stock struct {
	Item     string  `json:"item"`
	Quantity float64 `json:"quantity"`
	Price    float64 `json:"price"`
}

// Order is what a customer wants.
type Order struct {
	Customer string  `json:"customer"`
	Item     string  `json:"item"`
	Quantity float64 `json:"quantity"`
	Note     string  `json:"note"`
}

// Charge is what the payments want to know.
type Charge struct {
	Customer string  `json:"customer"`
	Amount   float64 `json:"amount"`
	Note     string  `json:"note"`
}

// Named is an item by its name.
type Named struct {
	Item string `json:"item"`
}

var stocks = weir.NewTable[Stock]("stock")

func init() {
	weir.Mutation("stock:fill", fill)
	weir.Mutation("stock:take", take)
	weir.Query("stock:left", left)
}

// fill adds an item to the stock.
func fill(ctx *weir.MutationCtx, stock Stock) error {
	_, err := stocks.Insert(ctx, stock)
	return err
}

// take takes an order's goods out of the stock and charges the customer for them; gives the price.
func take(ctx *weir.MutationCtx, order Order) (float64, error) {
	stock, err := find(ctx, order.Item)
	if err != nil {
		return 0, err
	}
	if stock.Value.Quantity < order.Quantity {
		return 0, fmt.Errorf("there are only %v of %s", stock.Value.Quantity, order.Item)
	}
	remaining := weir.Object{"quantity": stock.Value.Quantity - order.Quantity}
	if err := stocks.Patch(ctx, stock.ID, remaining); err != nil {
		return 0, err
	}
	price := stock.Value.Price * order.Quantity
	// In AssemblyScript.
	_, err = weir.RunMutation[any](ctx, "payments:charge", Charge{order.Customer, price, order.Note})
	return price, err
}

// find gives what there is of an item.
func find(ctx weir.Reader, item string) (*weir.Doc[Stock], error) {
	stock, err := stocks.Query(ctx).Filter(weir.Field("item").Eq(item)).Unique()
	if err == nil && stock == nil {
		err = fmt.Errorf("there is no %s in the stock", item)
	}
	return stock, err
}

// left tells how much there is of an item.
func left(ctx *weir.QueryCtx, named Named) (float64, error) {
	stock, err := find(ctx, named.Item)
	if err != nil {
		return 0, err
	}
	return stock.Value.Quantity, nil
}

func main() {}
