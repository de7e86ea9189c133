import { useState } from "react";
import { Chat } from "./Chat";
import { ErrorBoundary } from "./ErrorBoundary";
import { NameForm } from "./NameForm";
import { loadName, saveName } from "./name";

/** Asks for a name once a tab; then shows the chat under it. */
export function App() {
  const [name, setName] = useState(loadName);
  const [choosing, setChoosing] = useState(name === "");

  if (choosing) {
    return (
      <NameForm
        name={name}
        onChoose={(chosen) => {
          saveName(chosen);
          setName(chosen);
          setChoosing(false);
        }}
      />
    );
  }
  return (
    <ErrorBoundary>
      <Chat name={name} onRename={() => setChoosing(true)} />
    </ErrorBoundary>
  );
}
