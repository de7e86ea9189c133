package main

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"weir.dev/go"
)

func init() {
	weir.Mutation("secrets:hash", hashPassword)
	weir.Mutation("secrets:verify", verifyPassword)
	weir.Mutation("secrets:tell", tellPassword)
	weir.Mutation("secrets:tryHash", tryHashPassword)
	weir.Mutation("secrets:many", manyPasswords)
	weir.Mutation("secrets:change", changePassword)
	weir.Query("secrets:random", randomSecrets)
	weir.Query("secrets:sha256", digest)
}

type passwordArgs struct {
	Password string `json:"password"`
}

type verifyArgs struct {
	Password string `json:"password"`
	Hash     string `json:"hash"`
}

// hashPassword gives the hash of a password.
func hashPassword(ctx *weir.MutationCtx, args passwordArgs) (string, error) {
	weir.Logf("hashing")
	return ctx.HashPassword(args.Password)
}

// verifyPassword tells whether this is the password of a hash.
func verifyPassword(ctx *weir.MutationCtx, args verifyArgs) (bool, error) {
	weir.Logf("verifying")
	return ctx.VerifyPassword(args.Password, args.Hash)
}

// tellPassword does the same, in words.
func tellPassword(ctx *weir.MutationCtx, args verifyArgs) (string, error) {
	isRight, err := ctx.VerifyPassword(args.Password, args.Hash)
	switch {
	case err != nil:
		return told(err), nil
	case isRight:
		return "right", nil
	}
	return "wrong", nil
}

// tryHashPassword hashes a password, or tells why not.
func tryHashPassword(ctx *weir.MutationCtx, args passwordArgs) (string, error) {
	hash, err := ctx.HashPassword(args.Password)
	if err != nil {
		return told(err), nil
	}
	return fmt.Sprintf("%d characters", len(hash)), nil
}

// manyPasswords holds so many passwords against a hash, and counts those that are right.
func manyPasswords(ctx *weir.MutationCtx, args struct {
	Hash  string `json:"hash"`
	Count int    `json:"count"`
}) (int, error) {
	right := 0
	for number := range args.Count {
		isRight, err := ctx.VerifyPassword(fmt.Sprintf("password%d", number), args.Hash)
		if err != nil {
			return 0, err
		}
		if isRight {
			right++
		}
	}
	return right, nil
}

// changePassword changes a password: the old one has to be right. What is written
// before stays written once.
func changePassword(ctx *weir.MutationCtx, args struct {
	Old  string `json:"old"`
	Next string `json:"next"`
	Hash string `json:"hash"`
}) (string, error) {
	changes := tableOf("changes")
	if _, err := changes.Insert(ctx, weir.Object{"old": args.Hash}); err != nil {
		return "", err
	}
	isRight, err := ctx.VerifyPassword(args.Old, args.Hash)
	if err != nil {
		return "", err
	}
	if !isRight {
		return "", errors.New("this is not the password")
	}
	hash, err := ctx.HashPassword(args.Next)
	if err != nil {
		return "", err
	}
	_, err = changes.Insert(ctx, weir.Object{"new": hash})
	return hash, err
}

// randomSecrets gives random bytes, twice: the second time by the language's own call
// for them.
func randomSecrets(ctx *weir.QueryCtx) ([][]byte, error) {
	bytes := make([]byte, 16)
	first := ctx.RandomBytes(16)
	_, err := rand.Read(bytes)
	return [][]byte{first, bytes}, err
}

// digest gives the SHA-256 digest of some bytes.
func digest(_ *weir.QueryCtx, args struct {
	Data []byte `json:"data"`
}) ([]byte, error) {
	digest := sha256.Sum256(args.Data)
	return digest[:], nil
}
