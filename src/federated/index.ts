/**
 * Federated learning: clients train on data that stay where they are, and a coordinator combines what they learned. Strategies, robust aggregation,
 * compressed updates, the coordinator and the client's part without a transport, and simulation in one process.
 */
export {
  type Aggregation,
  type Contribution,
  krum,
  mean,
  median,
  multiKrum,
  secureMean,
  trimmedMean,
} from "./aggregations.ts";
export {
  type BeginOptions,
  type ClientMemory,
  type ClientTerms,
  emptyMemory,
  type LocalProgress,
  type LocalRun,
  LocalTraining,
} from "./client.ts";
export { decodeMemory, encodeMemory } from "./client-memory.ts";
export type { Compression, Encoding } from "./compression.ts";
export { Coordinator, type CoordinatorOptions } from "./coordinator.ts";
export { type CoordinatorState, decodeState, encodeState } from "./coordinator-state.ts";
export {
  type ClientEvent,
  type ClientTraining,
  type Joined,
  type JoinOptions,
  joinFederation,
  type MemoryStore,
  type SocketLike,
} from "./join.ts";
export type { ChangeNoise, RoundTask, SecureTask } from "./messages.ts";
export {
  type DescribedTensor,
  describeModel,
  type ModelDescription,
  protocolVersion,
  readValues,
  writeValues,
} from "./model-description.ts";
export { type ClientSpent, type NoiseOptions, spentByClients } from "./noise.ts";
export {
  type ClassOptions,
  classPartition,
  type DirichletOptions,
  dirichletPartition,
  type Partition,
} from "./partition.ts";
export type { Choices } from "./protocol.ts";
export { clientName, type FederationOptions, type RoundPolicy, type RoundRecord } from "./rounds.ts";
export { type MemberState, SecureMember } from "./secure/member.ts";
export {
  federation,
  type SimulatedClients,
  type SimulatedFederation,
  type SimulatedOptions,
  type SimulateOptions,
  simulate,
} from "./simulate.ts";
export { type FedAdamOptions, fedAdam } from "./strategies/fed-adam.ts";
export { fedAvg } from "./strategies/fed-avg.ts";
export { type FedProxOptions, fedProx } from "./strategies/fed-prox.ts";
export { type StrategyName, strategies, strategyOf } from "./strategies/index.ts";
export { type ScaffoldOptions, scaffold } from "./strategies/scaffold.ts";
export type { LocalChange, LocalRule, RoundChange, ServerState, Strategy, Vectors } from "./strategies/strategy.ts";
