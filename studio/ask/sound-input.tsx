/** A sound: recorded by the microphone, or a file; what the server reads is WAV, which is made here. */
import { useEffect, useRef, useState } from "preact/hooks";
import { encodeWav } from "../../src/data/sound/wav.ts";
import type { Input } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { FileInput } from "./file-input.tsx";

/** Seconds that are recorded at most; the server takes the loudest part. */
const mostSeconds = 10;
/** Samples a second of what the browser decodes where the model's rate is not known. */
const usualRate = 16_000;

/** A sound that the browser knows, as a WAV file of one channel. */
async function wavOf(sound: Blob, rate: number): Promise<Blob> {
  const context = new OfflineAudioContext(1, 1, rate);
  const decoded = await context.decodeAudioData(await sound.arrayBuffer());
  const all = Array.from({ length: decoded.numberOfChannels }, (_, i) => decoded.getChannelData(i));
  const mono = Float32Array.from({ length: decoded.length }, (_, i) =>
    all.reduce((sum, channel) => sum + (channel[i] ?? 0) / all.length, 0),
  );
  return new Blob([encodeWav({ rate: decoded.sampleRate, channels: [mono] })], { type: "audio/wav" });
}

export function SoundInput({
  rate = usualRate,
  onInput,
}: {
  rate: number | undefined;
  onInput: (input: Input | undefined) => void;
}) {
  const say = useSay();
  const [recorder, setRecorder] = useState<MediaRecorder>();
  const [wrong, setWrong] = useState("");
  const [heard, setHeard] = useState("");
  // What is under way, once nobody waits for it.
  const leave = useRef<() => void>(undefined);
  useEffect(() => () => leave.current?.(), []);
  const give = (sound: Blob | undefined, name: string) => {
    setWrong("");
    if (!sound) {
      setHeard("");
      onInput(undefined);
      return;
    }
    const isWav = /^audio\/(x-|vnd\.)?wave?$/.test(sound.type) || /\.wav$/i.test(name);
    (isWav ? Promise.resolve(sound) : wavOf(sound, rate)).then(
      (content) => {
        setHeard(URL.createObjectURL(content));
        onInput({ content, type: "audio/wav" });
      },
      () => {
        onInput(undefined);
        setWrong(say("badSound", { name }));
      },
    );
  };
  const record = async () => {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const own = new MediaRecorder(stream);
      const parts: Blob[] = [];
      own.ondataavailable = ({ data }) => parts.push(data);
      own.onstop = () => {
        for (const track of stream.getTracks()) track.stop();
        setRecorder(undefined);
        give(new Blob(parts, { type: own.mimeType }), say("record"));
      };
      own.start();
      setTimeout(() => own.state === "recording" && own.stop(), 1000 * mostSeconds);
      leave.current = () => {
        own.onstop = null;
        for (const track of stream.getTracks()) track.stop();
      };
      setRecorder(own);
    } catch (error) {
      setWrong(say("noMicrophone", { message: (error as Error).message }));
    }
  };
  return (
    <div>
      <div class="row">
        <button type="button" onClick={() => (recorder ? recorder.stop() : void record())}>
          {say(recorder ? "stopRecording" : "record")}
        </button>
        {heard !== "" && (
          // biome-ignore lint/a11y/useMediaCaption: it is what a person said, or chose.
          <audio controls src={heard} aria-label={say("recorded")} />
        )}
      </div>
      {wrong !== "" && (
        <p class="wrong" role="alert">
          {wrong}
        </p>
      )}
      <FileInput
        id="ask-sound"
        label={say("soundFile")}
        accept="audio/*,.wav"
        onFile={(file) => give(file, file?.name ?? "")}
      />
    </div>
  );
}
