import { useCallback, useLayoutEffect, useRef, useState } from "react";

/** Within this distance of the end, a reader counts as being there. */
const NEAR_PX = 80;

/**
 * Keeps a list scrolled to its end as it grows, unless the reader has scrolled up;
 * then `behind` says that something new is below. What they write themselves always
 * brings them to the end.
 */
export function useStickyScroll(newest: string | undefined, own: boolean) {
  const list = useRef<HTMLElement>(null);
  const atEnd = useRef(true);
  const [behind, setBehind] = useState(false);

  const toEnd = useCallback(() => {
    const element = list.current;
    element?.scrollTo({ top: element.scrollHeight });
    atEnd.current = true;
    setBehind(false);
  }, []);

  const onScroll = useCallback(() => {
    const { scrollHeight, scrollTop, clientHeight } = list.current!;
    atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    if (atEnd.current) {
      setBehind(false);
    }
  }, []);

  useLayoutEffect(() => {
    if (newest === undefined) {
      return;
    }
    if (atEnd.current || own) {
      toEnd();
    } else {
      setBehind(true);
    }
  }, [newest, own, toEnd]);

  // A list that changes its height (a keyboard, a longer text field) stays at its end.
  useLayoutEffect(() => {
    const observer = new ResizeObserver(() => atEnd.current && toEnd());
    observer.observe(list.current!);
    return () => observer.disconnect();
  }, [toEnd]);

  return { list, behind, onScroll, toEnd };
}
