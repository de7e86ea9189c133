import { useState } from "react";

/** Deletes on the second click; the first one asks. */
export function DeleteButton({ onDelete }: { onDelete: () => void }) {
  const [asking, setAsking] = useState(false);
  return (
    <button
      className="delete"
      onClick={() => (asking ? onDelete() : setAsking(true))}
      onBlur={() => setAsking(false)}
    >
      {asking ? "Really delete?" : "Delete"}
    </button>
  );
}
