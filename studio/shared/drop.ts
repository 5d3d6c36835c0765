/** A place of the page that files are dropped on. */
import { useState } from "preact/hooks";

/** Attributes of an element that takes what is dropped on it; it looks ready while files are held over it. */
export function useDrop(onTake: (dropped: DataTransfer) => void) {
  const [isOver, setIsOver] = useState(false);
  return {
    class: isOver ? "drop over" : "drop",
    onDragOver: (event: DragEvent) => {
      event.preventDefault();
      setIsOver(true);
    },
    onDragLeave: () => setIsOver(false),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      setIsOver(false);
      if (event.dataTransfer) onTake(event.dataTransfer);
    },
  };
}
