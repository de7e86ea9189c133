import { useQuery } from "convex/react";
import { api } from "./api";
import { Avatar } from "./Avatar";
import { Composer } from "./Composer";
import { Connection, ConnectionBanner } from "./Connection";
import { Logo } from "./Logo";
import { MessageList } from "./MessageList";
import { useSend } from "./send";
import { Toast } from "./Toast";

type Props = { name: string; onRename: () => void };

/** The whole chat: who you are, the live list of messages, and where you write. */
export function Chat({ name, onRename }: Props) {
  const messages = useQuery(api.chat.getMessages, {});
  const { send, failure, dismiss } = useSend(name);

  return (
    <div className="chat">
      <header>
        <Logo />
        <div className="title">
          <h1>Weir chat</h1>
          <Connection />
        </div>
        <button
          className="me"
          onClick={onRename}
          aria-label={`You are ${name}. Change your name`}
        >
          <Avatar name={name} />
          <span className="me-name">{name}</span>
        </button>
      </header>
      <ConnectionBanner />
      <MessageList messages={messages} me={name} />
      {failure && <Toast text={failure} onDismiss={dismiss} />}
      <Composer onSend={send} />
    </div>
  );
}
