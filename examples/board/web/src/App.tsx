import { useState } from "react";
import { Board } from "./Board";
import { ErrorBoundary } from "./ErrorBoundary";
import { JoinForm } from "./JoinForm";
import { useJoin } from "./join";
import { loadNames, saveNames, type Names } from "./names";

/** Asks once a tab who it is and for which team; then shows the team's board. */
export function App() {
  const [names, setNames] = useState(loadNames);
  const [choosing, setChoosing] = useState(names === null);

  if (names === null || choosing) {
    return (
      <JoinForm
        names={names}
        onChoose={(chosen) => {
          saveNames(chosen);
          setNames(chosen);
          setChoosing(false);
        }}
      />
    );
  }
  return (
    <ErrorBoundary>
      <Joined names={names} onLeave={() => setChoosing(true)} />
    </ErrorBoundary>
  );
}

function Joined({ names, onLeave }: { names: Names; onLeave: () => void }) {
  const me = useJoin(names);
  return <Board names={names} me={me} onLeave={onLeave} />;
}
