// What the pages of tests wait for.

/** Waits until an element has this text. */
export async function untilText(page, selector, text) {
  await page.waitForFunction(
    ([selector, text]) =>
      document.querySelector(selector)?.textContent === text,
    [selector, text],
    { polling: 20 },
  );
}

/** Waits until these are the rows of the page's list. */
export async function untilRows(page, rows) {
  await page.waitForFunction(
    (rows) =>
      JSON.stringify(
        [...document.querySelectorAll("li")].map((row) => row.textContent),
      ) === rows,
    JSON.stringify(rows),
    { polling: 20 },
  );
}
