const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const DATE = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
});

/** A time in full, for those who point at a short one. */
export const FULL = new Intl.DateTimeFormat(undefined, {
  dateStyle: "full",
  timeStyle: "medium",
});

/** A time of today as a clock shows it, and one before as a date. */
export function when(time: number): string {
  const today = new Date().toDateString() === new Date(time).toDateString();
  return today ? `at ${CLOCK.format(time)}` : `on ${DATE.format(time)}`;
}
