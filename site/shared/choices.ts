/** Choices of the reader that the browser keeps. Browsers that let a page store nothing throw; a choice then lasts as long as the page. */

/** What was chosen on an earlier visit. */
export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(`sardonyx-site-${name}`);
  } catch {
    return null;
  }
}

/** Keeps a choice. */
export function remember(name: string, choice: string): void {
  try {
    localStorage.setItem(`sardonyx-site-${name}`, choice);
  } catch {
    // Nothing is lost but the choice.
  }
}
