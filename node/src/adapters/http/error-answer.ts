import { errorBody, type ErrorBody, type ProtocolError } from '@huilian/protocol';

/** An error as a route answers it: its body, and the page of this node that explains the code. */
export function errorAnswer(error: ProtocolError): ErrorBody & { readonly help: string } {
  return { ...errorBody(error), help: `/errors/${error.code}` };
}
