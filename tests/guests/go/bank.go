package main

import (
	"errors"
	"math"

	"weir.dev/go"
)

// Account is a document of the table accounts.
type Account struct {
	Number  int     `json:"number"`
	Balance float64 `json:"balance"`
}

// Entry is one transfer, written in the same transaction as the balances it changed.
type Entry struct {
	Client int              `json:"client"`
	Seq    int              `json:"seq"`
	From   weir.ID[Account] `json:"from"`
	To     weir.ID[Account] `json:"to"`
	Amount float64          `json:"amount"`
}

// Note is a row of a table that nothing else reads.
type Note struct {
	Text string `json:"text"`
}

// Transfer is what is moved from where to where.
type Transfer struct {
	From   weir.ID[Account] `json:"from"`
	To     weir.ID[Account] `json:"to"`
	Amount float64          `json:"amount"`
}

// LedgerPage is a part of the ledger, the oldest first.
type LedgerPage struct {
	Rows []weir.Doc[Entry] `json:"rows"`
	// Next is where the next page begins; absent at the end.
	Next weir.Optional[float64] `json:"next"`
}

// Page is a part of the accounts, the oldest first.
type Page struct {
	IDs     []weir.ID[Account] `json:"ids"`
	Balance float64            `json:"balance"`
	// Next is where the next page begins; absent at the end.
	Next weir.Optional[float64] `json:"next"`
}

var (
	accounts = weir.NewTable[Account]("accounts")
	entries  = weir.NewTable[Entry]("ledger")
	notes    = weir.NewTable[Note]("notes")
)

func init() {
	weir.Mutation("bank:seed", seed)
	weir.Mutation("bank:transfer", transfer)
	weir.Query("bank:get", getAccount)
	weir.Query("bank:total", total)
	weir.Query("bank:page", page)
	weir.Mutation("bank:transferLogged", transferLogged)
	weir.Query("bank:ledger", ledger)
	weir.Query("bank:balances", balances)
	weir.Query("bank:newest", newest)
	weir.Mutation("bank:note", note)
}

var (
	errNoSource = errors.New("there is no account to debit")
	errNoTarget = errors.New("there is no account to credit")
)

// seed opens accounts, numbered on from From, and gives their ids.
func seed(ctx *weir.MutationCtx, args struct {
	From    int     `json:"from"`
	Count   int     `json:"count"`
	Balance float64 `json:"balance"`
}) ([]weir.ID[Account], error) {
	ids := make([]weir.ID[Account], 0, args.Count)
	for number := args.From; number < args.From+args.Count; number++ {
		id, err := accounts.Insert(ctx, Account{Number: number, Balance: args.Balance})
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// transfer moves money from one account to another, if it is there.
func transfer(ctx *weir.MutationCtx, args Transfer) error {
	if args.Amount <= 0 || args.From == args.To {
		return errors.New("move an amount above 0 between two accounts")
	}
	source, err := required(ctx, args.From, errNoSource)
	if err != nil {
		return err
	}
	target, err := required(ctx, args.To, errNoTarget)
	if err != nil {
		return err
	}
	if source.Balance < args.Amount {
		return weir.AppError(weir.Object{"code": "InsufficientFunds", "balance": source.Balance})
	}
	if err := setBalance(ctx, args.From, source.Balance-args.Amount); err != nil {
		return err
	}
	return setBalance(ctx, args.To, target.Balance+args.Amount)
}

func required(ctx weir.Reader, id weir.ID[Account], missing error) (Account, error) {
	account, err := accounts.Get(ctx, id)
	if err != nil {
		return Account{}, err
	}
	if account == nil {
		return Account{}, missing
	}
	return account.Value, nil
}

func setBalance(ctx *weir.MutationCtx, id weir.ID[Account], balance float64) error {
	return accounts.Patch(ctx, id, struct {
		Balance float64 `json:"balance"`
	}{balance})
}

type accountArgs struct {
	ID weir.ID[Account] `json:"id"`
}

// getAccount gives the account with this id.
func getAccount(ctx *weir.QueryCtx, args accountArgs) (*weir.Doc[Account], error) {
	return accounts.Get(ctx, args.ID)
}

// total gives the sum of all balances, as long as one call can read all accounts.
func total(ctx *weir.QueryCtx) (float64, error) {
	sum := 0.0
	for account, err := range accounts.Query(ctx).All() {
		if err != nil {
			return 0, err
		}
		sum += account.Value.Balance
	}
	return sum, nil
}

// page gives the accounts that were opened after After, Limit at most.
func page(ctx *weir.QueryCtx, args struct {
	After weir.Optional[float64] `json:"after"`
	Limit int                    `json:"limit"`
}) (Page, error) {
	after := args.After.Or(math.Inf(-1))
	found, err := accounts.Query(ctx).ByCreationTime(weir.Gt(after)).Take(args.Limit)
	if err != nil {
		return Page{}, err
	}
	page := Page{IDs: make([]weir.ID[Account], 0, len(found))}
	for _, account := range found {
		page.IDs = append(page.IDs, account.ID)
		page.Balance += account.Value.Balance
	}
	if len(found) > 0 && len(found) == args.Limit {
		page.Next = weir.Some(found[len(found)-1].CreationTime)
	}
	return page, nil
}

// transferLogged leaves a row which tells who asked for it, and may overdraw.
func transferLogged(ctx *weir.MutationCtx, args struct {
	Transfer
	Client int `json:"client"`
	Seq    int `json:"seq"`
}) error {
	source, err := required(ctx, args.From, errNoSource)
	if err != nil {
		return err
	}
	if err := setBalance(ctx, args.From, source.Balance-args.Amount); err != nil {
		return err
	}
	target, err := required(ctx, args.To, errNoTarget)
	if err != nil {
		return err
	}
	if err := setBalance(ctx, args.To, target.Balance+args.Amount); err != nil {
		return err
	}
	_, err = entries.Insert(ctx, Entry{args.Client, args.Seq, args.From, args.To, args.Amount})
	return err
}

// ledger gives the ledger after After, Limit rows at most.
func ledger(ctx *weir.QueryCtx, args struct {
	After float64 `json:"after"`
	Limit int     `json:"limit"`
}) (LedgerPage, error) {
	rows, err := entries.Query(ctx).ByCreationTime(weir.Gt(args.After)).Take(args.Limit)
	page := LedgerPage{Rows: rows}
	if len(rows) > 0 && len(rows) == args.Limit {
		page.Next = weir.Some(rows[len(rows)-1].CreationTime)
	}
	return page, err
}

// balances gives what these accounts hold, in the order of their ids here.
func balances(ctx *weir.QueryCtx, args struct {
	IDs []weir.ID[Account] `json:"ids"`
}) ([]float64, error) {
	found := make([]float64, 0, len(args.IDs))
	for _, id := range args.IDs {
		account, err := required(ctx, id, errors.New("there is no such account"))
		if err != nil {
			return nil, err
		}
		found = append(found, account.Balance)
	}
	return found, nil
}

// newest gives the accounts that were opened last.
func newest(ctx *weir.QueryCtx, args struct {
	Count int `json:"count"`
}) ([]weir.Doc[Account], error) {
	return accounts.Query(ctx).Order(weir.Desc).Take(args.Count)
}

// note writes into a table of its own.
func note(ctx *weir.MutationCtx, args Note) error {
	_, err := notes.Insert(ctx, args)
	return err
}
