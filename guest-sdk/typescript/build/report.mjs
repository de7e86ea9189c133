// What is said of a project that is refused. Each finding is `{feature, place,
// text}`: what it is about, and where.

/** From so many refusals on, a summary comes first, and not every place is named. */
const SUMMARY_FROM = 20;
const PLACES_MAX = 5;

const line = ({ place, text }) => `${place}: ${text}`;

/** The lines that say what is refused, none if nothing is. */
export function refusalLines(problems) {
  if (problems.length < SUMMARY_FROM) return problems.map(line);
  const features = byFeature(problems);
  const longest = Math.max(...features.map(([feature]) => feature.length));
  return [
    `${problems.length} places use what is not supported by Weir yet:`,
    ...features.map(([feature, found]) => `  ${feature.padEnd(longest)}  ${found.length}`),
    ...features.flatMap(([feature, found]) => some(feature, found)),
  ];
}

function some(feature, found) {
  const lines = found.slice(0, PLACES_MAX).map(line);
  if (found.length > PLACES_MAX) lines.push(`... and ${found.length - PLACES_MAX} more of: ${feature}`);
  return lines;
}

/** `[feature, findings]`, the most frequent first. */
function byFeature(findings) {
  const groups = new Map();
  for (const finding of findings) {
    groups.set(finding.feature, [...(groups.get(finding.feature) ?? []), finding]);
  }
  return [...groups].sort(([, a], [, b]) => b.length - a.length);
}
