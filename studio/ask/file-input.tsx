/** A file that is dropped or chosen. */
import { useState } from "preact/hooks";

export function FileInput({
  id,
  label,
  accept,
  onFile,
}: {
  id: string;
  label: string;
  accept: string;
  onFile: (file: File | undefined) => void;
}) {
  const [isOver, setIsOver] = useState(false);
  const [dropped, setDropped] = useState("");
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the field in it is for those who drop nothing.
    <div
      class={isOver ? "drop over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setIsOver(false);
        const file = event.dataTransfer?.files[0];
        setDropped(file?.name ?? "");
        onFile(file);
      }}
    >
      <label for={id}>{label}</label>
      <input
        id={id}
        type="file"
        accept={accept}
        onChange={({ currentTarget }) => {
          setDropped("");
          onFile(currentTarget.files?.[0]);
        }}
      />
      {dropped !== "" && <span class="soft">{dropped}</span>}
    </div>
  );
}
