/** Learning from few samples, on the features of a frozen model. */
export type { FeatureClassifier } from "./classifier.ts";
export type { FeatureDistance } from "./distances.ts";
export { type Features, type FeaturesOptions, featuresOf } from "./features.ts";
export { type LinearProbe, type LinearProbeOptions, linearProbe, type ProbeTrial } from "./linear-probe.ts";
export { type NearestNeighboursOptions, nearestNeighbours } from "./nearest-neighbours.ts";
export { type Prototypes, type PrototypesOptions, prototypes } from "./prototypes.ts";
export { type Episode, type EpisodesOptions, episodes, type Shots, sampleShots } from "./shots.ts";
