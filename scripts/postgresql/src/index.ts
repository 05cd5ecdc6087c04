export { Postgresql } from './postgresql.js';
export { programOf, missingPrograms } from './programs.js';
