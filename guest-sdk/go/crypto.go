package weir

import "weir.dev/go/internal/abi"

// RandomBytes gives random bytes for a secret, such as a token or a key: nobody can
// foretell them, whatever else of the call's random numbers is known. It is what
// crypto/rand gives too. It panics for more than 65,536 bytes.
func (ctx *callCtx) RandomBytes(length int) []byte {
	if length < 0 || length > 65_536 {
		panic("weir: random bytes are given from 0 to 65,536 at once")
	}
	bytes, failed := abi.RandomBytes(uint32(length))
	if failed != nil {
		panic("weir: " + failed.Message)
	}
	return bytes
}

// HashPassword hashes a password with argon2id and a salt of its own, for
// VerifyPassword; the hash is a PHC string. It takes tens of milliseconds, on threads
// that the host has for it: the mutation ends here, and runs again from its start when
// the hash is there.
//
// The errors, by [CodeOf]: InvalidPassword, for none or one of more than 1,024 bytes;
// Overloaded. More than 8 in a call end it.
func (ctx *MutationCtx) HashPassword(password string) (string, error) {
	hash, failed := abi.HashPassword(password)
	return hash, fromHost(failed)
}

// VerifyPassword tells whether this is the password that was hashed; it is as slow as
// HashPassword. A further error is InvalidPasswordHash: not an argon2id hash as a PHC
// string, or one that asks for too much.
func (ctx *MutationCtx) VerifyPassword(password, hash string) (bool, error) {
	isRight, failed := abi.VerifyPassword(password, hash)
	return isRight, fromHost(failed)
}
