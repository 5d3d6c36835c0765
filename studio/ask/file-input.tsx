/** A file that is dropped or chosen. */
import { useState } from "preact/hooks";
import { useDrop } from "../shared/drop.ts";

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
  const [dropped, setDropped] = useState("");
  const drop = useDrop(({ files: [file] }) => {
    setDropped(file?.name ?? "");
    onFile(file);
  });
  return (
    <div {...drop}>
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
