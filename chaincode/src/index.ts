import { AccessContract } from './contracts/access-contract.js';
import { EntitiesContract } from './contracts/entities-contract.js';
import { GovernanceContract } from './contracts/governance-contract.js';
import { RecordsContract } from './contracts/records-contract.js';

/** The contracts of the chaincode, as Fabric's Node runtime expects them. */
export const contracts = [GovernanceContract, EntitiesContract, RecordsContract, AccessContract] as const;
