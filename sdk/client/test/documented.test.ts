// Every name that the package offers says what it is, and so does every method of its classes.
import path from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';

const source = path.join(import.meta.dirname, '..', 'src');

describe.each(['index.ts', 'verify.ts'])('the entry %s', (entry) => {
  let undocumented: readonly string[];
  let names: readonly string[];

  beforeAll(() => {
    const program = ts.createProgram([path.join(source, entry)], { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, target: ts.ScriptTarget.ES2022, strict: true, skipLibCheck: true, types: [], lib: ['lib.es2024.d.ts', 'lib.dom.d.ts'], customConditions: ['@huilian/source'] });
    const checker = program.getTypeChecker();
    const file = program.getSourceFile(path.join(source, entry));
    const module = file === undefined ? undefined : checker.getSymbolAtLocation(file);
    const exported = (module === undefined ? [] : checker.getExportsOfModule(module)).map((symbol) => (symbol.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(symbol) : symbol);
    const isDocumented = (symbol: ts.Symbol): boolean => symbol.getDocumentationComment(checker).length > 0 || symbol.getJsDocTags(checker).length > 0;
    const methodsOf = (symbol: ts.Symbol): ts.Symbol[] => {
      if ((symbol.flags & ts.SymbolFlags.Class) === 0) return [];
      const own = [...(symbol.members?.values() ?? []), ...(symbol.exports?.values() ?? [])];
      return own.filter((member) => (member.flags & (ts.SymbolFlags.Method | ts.SymbolFlags.Accessor)) !== 0 && member.declarations?.every((declaration) => (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Private) === 0) === true);
    };
    names = exported.map(({ name }) => name);
    undocumented = exported.flatMap((symbol) => [...(isDocumented(symbol) ? [] : [symbol.name]), ...methodsOf(symbol).filter((member) => !isDocumented(member)).map((member) => `${symbol.name}.${member.name}`)]);
  }, 60_000);

  it('has a docstring on each name', () => {
    expect(names.length).toBeGreaterThan(entry === 'index.ts' ? 50 : 5);
    expect(undocumented).toEqual([]);
  });
});
