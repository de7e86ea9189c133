import type { Status } from "./api";

/** Tasks for a board that has none: enough of them for a second page. */
export const EXAMPLES: [Status, string][] = [
  ["todo", "Write down what the engine shall be able to do"],
  ["todo", "Order brass for the store"],
  ["todo", "Ask Jacquard about his cards"],
  ["todo", "Draw the mill, at last to scale"],
  ["todo", "Find a printer who does not round"],
  ["todo", "Check the table of logarithms against the old one"],
  ["todo", "Explain the carriage to the committee"],
  ["todo", "Count the wheels again"],
  ["todo", "Translate the notes from the French"],
  ["todo", "Add notes to the translation"],
  ["todo", "Bernoulli numbers: is the loop right?"],
  ["todo", "A bell for when it needs a card"],
  ["todo", "Answer the letter from Turin"],
  ["todo", "Decide who oils it"],
  ["todo", "Find room for fifty digits"],
  ["todo", "What if somebody puts in the wrong figures?"],
  ["doing", "Cut the first twelve cards"],
  ["doing", "Test the anticipating carry"],
  ["doing", "Estimate the cost, honestly"],
  ["done", "Build a small piece of the difference engine"],
  ["done", "Show it at a dinner"],
];
