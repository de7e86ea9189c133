/** What went wrong, until the user has seen it. */
export function Toast({
  text,
  onDismiss,
}: {
  text: string;
  onDismiss: () => void;
}) {
  return (
    <div className="toast" role="alert">
      <span>
        <strong>Not done:</strong> {text}
      </span>
      <button onClick={onDismiss} aria-label="Dismiss">
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="m6 6 12 12M18 6 6 18" />
        </svg>
      </button>
    </div>
  );
}
