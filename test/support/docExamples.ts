/** The examples of doc comments as programs: what they may take for granted is around them, and the compiler has seen them. */
import ts from 'typescript';
import { type Documented, documentedExports, usersOptions } from './docComments.js';
import { inProject } from './paths.js';

export interface DocExample {
  /** The export that it is an example of, with a number where it has several. */
  readonly title: string;
  readonly code: string;
  /** A module that exports `result`: what the example's last expression gives, undefined where it ends otherwise. */
  readonly javascript: string;
  /** What the compiler says against it. */
  readonly complaints: readonly string[];
}

/** What examples take for granted, beside the package's own names and the files of `exampleFolder`. */
const GIVEN = `
import { lastValueFrom, merge } from 'rxjs';
const [volume, nuclei] = await Promise.all([npy('stitched.npy'), npy('stitched.npy')]);
const found = blocks(volume).pipe(removeBackground(), maxima(), shape(), intensity(), cells());
const points = [300, 420, 500, 520, 480, 410, 320].map((intensity, at) => ({ position: 10 * at, intensity }));
const signal = AbortSignal.timeout(60_000);
const send = async (table: CellTable) => table.count;
`;

export function docExamples(): { readonly exports: readonly Documented[]; readonly examples: readonly DocExample[] } {
  const host = cachingHost();
  const exports = documentedExports(host);
  const names = exports.map(({ kind, name }) => (kind === 'type' ? `type ${name}` : name)).join(', ');
  const around = `import { ${names} } from 'somaflow';${GIVEN}`;
  const programs = exports.flatMap(({ name, tags }) => {
    const codes = tags.filter((tag) => tag.name === 'example').map(({ text }) => text);
    return codes.map((code, at) => ({
      title: codes.length === 1 ? name : `${name}, ${at + 1} of ${codes.length}`,
      code,
      file: inProject(`docExample-${name}-${at}.mts`),
      text: `${around}${declarations(code)}export const result = await (async () => {\n${returning(code)}\n})();\n`,
    }));
  });
  const complaints = complaintsAbout(new Map(programs.map(({ file, text }) => [file, text])), host);
  const examples = programs.map(({ title, code, file, text }) => ({
    title,
    code,
    javascript: ts.transpileModule(text, { fileName: file, compilerOptions: usersOptions() }).outputText,
    complaints: complaints(file),
  }));
  return { exports, examples };
}

/** What an example declares of the package's types: that can only be said outside of functions. */
function declarations(code: string): string {
  return statementsOf(code)
    .filter(({ node }) => ts.isModuleDeclaration(node))
    .map(({ text }) => `${text}\n`)
    .join('');
}

/** The other statements; the last is returned, where it is an expression. */
function returning(code: string): string {
  const own = statementsOf(code).filter(({ node }) => !ts.isModuleDeclaration(node));
  return own
    .map(({ node, text }, at) => (at === own.length - 1 && ts.isExpressionStatement(node) ? `return ${text}` : text))
    .join('\n');
}

function statementsOf(code: string): { readonly node: ts.Statement; readonly text: string }[] {
  const source = ts.createSourceFile('example.mts', code, ts.ScriptTarget.Latest);
  return source.statements.map((node) => ({ node, text: code.slice(node.pos, node.end).trim() }));
}

/** Compiles files that are nowhere but here, all in one program. */
function complaintsAbout(texts: ReadonlyMap<string, string>, host: ts.CompilerHost): (file: string) => string[] {
  const options = usersOptions();
  const inMemory: ts.CompilerHost = {
    ...host,
    fileExists: (file) => texts.has(file) || host.fileExists(file),
    readFile: (file) => texts.get(file) ?? host.readFile(file),
    getSourceFile: (file, ...rest) => {
      const text = texts.get(file);
      if (text === undefined) return host.getSourceFile(file, ...rest);
      return ts.createSourceFile(file, text, {
        languageVersion: ts.ScriptTarget.ES2023,
        impliedNodeFormat: ts.ModuleKind.ESNext,
      });
    },
  };
  const program = ts.createProgram([...texts.keys()], options, inMemory);
  return (file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '),
    );
  };
}

/** Declarations are parsed once, though two programs ask for them. */
function cachingHost(): ts.CompilerHost {
  const host = ts.createCompilerHost(usersOptions(), true);
  const parsed = new Map<string, ts.SourceFile | undefined>();
  return {
    ...host,
    getSourceFile: (file, ...rest) => {
      if (!parsed.has(file)) parsed.set(file, host.getSourceFile(file, ...rest));
      return parsed.get(file);
    },
  };
}
