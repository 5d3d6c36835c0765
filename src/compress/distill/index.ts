/** Small networks that learn from large ones. */
export { type DistillationOptions, distillation, type HiddenPair } from "./distillation.ts";
export { type SoftTargetOptions, softTargets } from "./soft-targets.ts";
export { type TeacherOutputOptions, teacherOutputs } from "./teacher-outputs.ts";
export {
  type SequencePair,
  type TaughtSequences,
  type TeacherTextOptions,
  type TeacherTranslationOptions,
  teacherTexts,
  teacherTranslations,
} from "./teacher-sequences.ts";
