import { useState } from "react";
import type { Actions } from "./actions";
import { EXAMPLES } from "./examples";

/** What a board without any task says, and a way to fill it. */
export function EmptyBoard({ onAdd }: { onAdd: Actions["add"] }) {
  const [busy, setBusy] = useState(false);

  async function fill() {
    setBusy(true);
    // The last one added is on top. They are sent at once, and run in their order.
    const adding = EXAMPLES.toReversed().map(([status, title]) =>
      onAdd(status, title),
    );
    await Promise.all(adding);
    setBusy(false);
  }

  return (
    <div className="empty">
      <p>
        <strong>Nothing to do yet.</strong> What one window adds, every other
        one shows at once.
      </p>
      <button className="primary" onClick={fill} disabled={busy}>
        Add some examples
      </button>
    </div>
  );
}
