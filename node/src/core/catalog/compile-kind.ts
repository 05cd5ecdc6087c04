import { Ajv2020 } from 'ajv/dist/2020.js';
import { kindFromDocument, ProtocolError, type CompiledKind, type JsonObject, type SchemaValidator } from '@huilian/protocol';

/**
 * Makes a kind usable from its adopted document. What a document may hold is closed (`kindFromDocument`), so the compiler
 * meets nothing but checks of shapes: no reference, no format, no pattern that takes long.
 * @throws SCHEMA_INVALID
 */
export function compileKind(document: JsonObject): CompiledKind {
  const definition = kindFromDocument(document);
  // A compiler of its own for each document: names of one have no meaning in another, and all of it goes with the kind.
  const ajv = new Ajv2020({ allErrors: true, logger: false, strict: false, validateFormats: false, validateSchema: false });
  const { $id: _id, $schema: _schema, ...schema } = document;
  try {
    return { ...definition, validate: ajv.compile(schema) as unknown as SchemaValidator };
  } catch {
    throw new ProtocolError('SCHEMA_INVALID', { reason: 'not-compiled' });
  }
}
