/** The task that is being moved by a button of its own, and that button. */
let moving: { task: string; button: string } | null = null;

/** Notes that a task is about to move, so that the focus can go with it. */
export function followCard(task: string, button: string) {
  moving = { task, button };
}

/** Puts the focus back onto the button of a task that has moved; `card` is its element, where it is now. */
export function catchUp(task: string, card: HTMLElement | null) {
  if (card === null || moving?.task !== task) return;
  const button = card.querySelector<HTMLElement>(
    `[data-move=${moving.button}]:not(:disabled)`,
  );
  moving = null;
  (button ?? opener(card))?.focus();
}

/** Puts the focus onto a task on the board, if it is there. */
export function focusCard(task: string) {
  const cards = document.querySelectorAll<HTMLElement>("[data-task]");
  const card = [...cards].find(({ dataset }) => dataset.task === task);
  if (card !== undefined) opener(card)?.focus();
}

function opener(card: HTMLElement) {
  return card.querySelector<HTMLElement>(".open");
}
