import { Value } from "./json/value";

/** Who calls, by the claims of a verified token. */
@final
export class Identity {
  constructor(private claims: Value) {}

  /** One text for the issuer and the subject: the same again for the same caller. */
  get tokenIdentifier(): string {
    return this.claims.get("tokenIdentifier")!.text;
  }

  /** Whom the token is about, by the issuer's own id. */
  get subject(): string {
    return this.claims.get("subject")!.text;
  }

  /** Who made the token. */
  get issuer(): string {
    return this.claims.get("issuer")!.text;
  }

  /** Any other claim; null if it is absent. */
  claim(name: string): Value | null {
    return this.claims.get(name);
  }
}
