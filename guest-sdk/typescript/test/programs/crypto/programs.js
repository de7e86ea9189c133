// Programs of cryptography. Those that give something else each time are exchanges: what one side makes, the other checks.
import { cipherExchanges, cipherPrograms } from "./ciphers.js";
import { derivationPrograms } from "./derivations.js";
import { digestPrograms } from "./digests.js";
import { keyExchanges, keyPrograms } from "./keys.js";
import { signatureExchanges, signaturePrograms } from "./signatures.js";
import { tokenExchanges, tokenPrograms } from "./tokens.js";

export const cryptoPrograms = {
  ...digestPrograms,
  ...signaturePrograms,
  ...cipherPrograms,
  ...derivationPrograms,
  ...keyPrograms,
  ...tokenPrograms,
};

/** Each `{make, check}`: `make` gives a text, and `check` says whether a text is right. */
export const exchanges = {
  ...signatureExchanges,
  ...cipherExchanges,
  ...keyExchanges,
  ...tokenExchanges,
};
