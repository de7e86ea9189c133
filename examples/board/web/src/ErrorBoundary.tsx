import { Component, type ReactNode } from "react";

type State = { error: Error | null };

const RETRY_MS = 3_000;

/**
 * Shows what went wrong where a query failed: `useQuery` throws what the server
 * answered, for instance that nothing is deployed yet. Tries again by itself.
 */
export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: Error): State {
    return { error };
  }

  #timer: ReturnType<typeof setTimeout> | undefined;

  #retry = () => {
    clearTimeout(this.#timer);
    this.setState({ error: null });
  };

  override componentDidCatch() {
    this.#timer = setTimeout(this.#retry, RETRY_MS);
  }

  override componentWillUnmount() {
    clearTimeout(this.#timer);
  }

  override render() {
    if (this.state.error === null) {
      return this.props.children;
    }
    return (
      <main className="welcome">
        <div className="sheet" role="alert">
          <h1>Nothing to show</h1>
          <p>The host answered with an error. Trying again by itself.</p>
          <pre>
            {this.state.error.message.replace("\n  Called by client", "")}
          </pre>
          <button className="primary" onClick={this.#retry}>
            Try now
          </button>
        </div>
      </main>
    );
  }
}
