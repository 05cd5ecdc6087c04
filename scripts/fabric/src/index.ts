export { missingBinaries } from './binaries.js';
export type { NetworkDescription, NetworkOrganisation, PeerAddress } from './connections.js';
export { FabricError, type FabricErrorCode } from './fabric-error.js';
export { FabricNetwork, type ProcessStatus } from './network.js';
export { silentProgress, type Progress } from './report.js';
