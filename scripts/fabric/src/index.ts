export { missingBinaries } from './binaries.js';
export type { NetworkDescription, NetworkOrganisation, PeerAddress } from './connections.js';
export { FabricError, type FabricErrorCode } from './fabric-error.js';
export { takeDown } from './down.js';
export { FabricNetwork, type Deployment, type ProcessStatus } from './network.js';
export { NetworkFolder } from './plan.js';
export { silentProgress, type Progress } from './report.js';
