export * from './field-map.js';
export * from './link-checks.js';
export * from './merge-records.js';
export * from './prefill.js';
export * from './view-record.js';
