/** The doc comments of what the package exports, as its users' editors read them: from the declarations beside the build. */
import { relative } from 'node:path';
import ts from 'typescript';
import { inProject } from './paths.js';

/** What is said of one export. */
export interface Documented {
  readonly name: string;
  /** The source file, from the root. */
  readonly file: string;
  readonly kind: 'function' | 'class' | 'constant' | 'type';
  /** Whether it is a function that returns a step of a pipeline. */
  readonly isStep: boolean;
  /** Whether it is a class of errors. */
  readonly isError: boolean;
  /** Everything above the first tag. */
  readonly text: string;
  readonly tags: readonly { readonly name: string; readonly text: string }[];
  /** Of a type, the members of its own that no comment speaks of. */
  readonly unsaid: readonly string[];
}

/** Options of the package's own compilation, as far as they matter to who uses it. */
export function usersOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(inProject('tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, inProject('.'));
  for (const key of ['rootDir', 'outDir', 'declaration', 'sourceMap', 'noUnusedLocals', 'noUnusedParameters']) {
    delete options[key];
  }
  return { ...options, noEmit: true, typeRoots: [inProject('node_modules/@types')] };
}

export function documentedExports(host?: ts.CompilerHost): Documented[] {
  const index = inProject('dist/index.d.ts');
  const options = usersOptions();
  const program = ts.createProgram([index], options, host);
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(index) as ts.SourceFile) as ts.Symbol;
  return checker.getExportsOfModule(module).map((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    return describe(exported.name, symbol, checker);
  });
}

function describe(name: string, symbol: ts.Symbol, checker: ts.TypeChecker): Documented {
  const type = checker.getTypeOfSymbol(symbol);
  const results = checker
    .getSignaturesOfType(type, ts.SignatureKind.Call)
    .map((signature) => signature.getReturnType());
  const declaration = symbol.declarations?.[0] as ts.Declaration;
  const has = (flag: ts.SymbolFlags) => (symbol.flags & flag) !== 0;
  const kind = has(ts.SymbolFlags.Function)
    ? 'function'
    : has(ts.SymbolFlags.Class)
      ? 'class'
      : has(ts.SymbolFlags.Value)
        ? 'constant'
        : 'type';
  return {
    name,
    file: relative(inProject('dist'), declaration.getSourceFile().fileName).replace(/\.d\.ts$/, '.ts'),
    kind,
    isStep: kind === 'function' && results.some((result) => result.getProperty('plans') !== undefined),
    isError: kind === 'class' && checker.getDeclaredTypeOfSymbol(symbol).getProperty('stack') !== undefined,
    text: ts.displayPartsToString(symbol.getDocumentationComment(checker)),
    tags: symbol.getJsDocTags(checker).map((tag) => ({ name: tag.name, text: ts.displayPartsToString(tag.text) })),
    unsaid: [...(symbol.members?.values() ?? [])]
      .filter((member) => (member.flags & ts.SymbolFlags.Property) !== 0)
      .filter((member) => member.getDocumentationComment(checker).length === 0)
      .map((member) => member.name),
  };
}
