/** Differential privacy, training that gives no sample away, and accountants of what it spends; texts without personal data, tables made anonymous, pictures without metadata. */
export * from "./accounting/index.ts";
export { type Anonymity, type AnonymityOptions, type MicrodataRow, measureAnonymity } from "./anonymity/anonymity.ts";
export { type AnonymizedTable, type AnonymizeOptions, anonymizeTable } from "./anonymity/mondrian.ts";
export { type AuditOptions, auditMembership, type PrivacyAudit } from "./audit.ts";
export {
  type ClippingOptions,
  type DifferentialPrivacyOptions,
  differentialPrivacy,
  type PrivateTraining,
} from "./differential-privacy.ts";
export { likelihoodRatios, type ShadowModel } from "./likelihood-ratio.ts";
export type { RemovedPart } from "./metadata/parts.ts";
export { type CleanPicture, withoutMetadata } from "./metadata/picture-metadata.ts";
export { type PersonalKind, type PersonalSpan, personalKinds } from "./redaction/kinds.ts";
export { type NameTagger, nameTagger } from "./redaction/names/name-tagger.ts";
export {
  type RedactedText,
  type RedactOptions,
  type Redactor,
  redactor,
  redactText,
  type TextChange,
} from "./redaction/redact-text.ts";
