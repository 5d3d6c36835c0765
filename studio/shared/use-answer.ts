/** An answer of the studio that a part of the page shows. */
import { useEffect, useState } from "preact/hooks";

/** What was answered last, and what went wrong since, in a sentence; "" where nothing did. */
export interface Answered<T> {
  readonly answer: T | undefined;
  readonly failed: string;
}

/**
 * Asks when the part is shown, and again when any of `about` changes. The last answer stays until the next comes, and one that comes after the question
 * has changed is dropped.
 */
export function useAnswer<T>(ask: () => Promise<T>, about: readonly unknown[]): Answered<T> {
  const [answered, setAnswered] = useState<Answered<T>>({ answer: undefined, failed: "" });
  useEffect(() => {
    let isOver = false;
    ask().then(
      (answer) => !isOver && setAnswered({ answer, failed: "" }),
      (error: Error) => !isOver && setAnswered(({ answer }) => ({ answer, failed: error.message })),
    );
    return () => {
      isOver = true;
    };
  }, about);
  return answered;
}
