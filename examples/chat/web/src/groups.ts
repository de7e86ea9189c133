import type { Message } from "./api";

/** Messages of one person in a row. */
export type Group = { key: string; user: string; messages: Message[] };

/** The groups of one day of the reader's calendar. */
export type Day = { date: string; label: string; groups: Group[] };

/** A pause longer than this begins a new group. */
const PAUSE_MS = 5 * 60_000;

const DATE = new Intl.DateTimeFormat(undefined, {
  weekday: "long",
  day: "numeric",
  month: "long",
});

/** Sorts messages, oldest first, into days and groups. */
export function groupMessages(messages: Message[]): Day[] {
  const days: Day[] = [];
  for (const message of messages) {
    const date = new Date(message._creationTime).toDateString();
    let day = days.at(-1);
    if (day?.date !== date) {
      day = { date, label: labelOf(message._creationTime), groups: [] };
      days.push(day);
    }
    const group = day.groups.at(-1);
    const last = group?.messages.at(-1);
    if (
      group?.user === message.user &&
      last !== undefined &&
      message._creationTime - last._creationTime < PAUSE_MS
    ) {
      group.messages.push(message);
    } else {
      day.groups.push({
        key: message._id,
        user: message.user,
        messages: [message],
      });
    }
  }
  return days;
}

function labelOf(time: number): string {
  const date = new Date(time).toDateString();
  const yesterday = new Date();
  yesterday.setDate(yesterday.getDate() - 1);
  if (date === new Date().toDateString()) {
    return "Today";
  }
  return date === yesterday.toDateString() ? "Yesterday" : DATE.format(time);
}
