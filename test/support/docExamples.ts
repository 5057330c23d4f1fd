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
      text: moduleOf(around, code),
    }));
  });
  // What an example declares by merging must not help another.
  const declares = ({ code }: { readonly code: string }) => /^declare module/m.test(code);
  const together = programs.filter((one) => !declares(one));
  const complaints = new Map(
    [together, ...programs.filter(declares).map((one) => [one])].flatMap((files) => complaintsAbout(files, host)),
  );
  const examples = programs.map(({ title, code, file, text }) => ({
    title,
    code,
    javascript: ts.transpileModule(text, { fileName: file, compilerOptions: usersOptions() }).outputText,
    complaints: complaints.get(file) as string[],
  }));
  return { exports, examples };
}

/** A module of the example: what it declares or imports at the top, the other statements in a function that returns the last. */
function moduleOf(around: string, code: string): string {
  const source = ts.createSourceFile('example.mts', code, ts.ScriptTarget.Latest);
  const isTop = (statement: ts.Statement) => ts.isModuleDeclaration(statement) || ts.isImportDeclaration(statement);
  const text = (statement: ts.Statement) => code.slice(statement.getStart(source), statement.end);
  const top = source.statements.filter(isTop).map(text);
  const inside = source.statements.filter((statement) => !isTop(statement));
  const last = inside.at(-1);
  const lines = inside.map((one) =>
    one === last && ts.isExpressionStatement(one) ? `return ${text(one)}` : text(one),
  );
  const run = `export const result = await (async () => {\n${lines.join('\n')}\n})();`;
  return [...top, around, run, ''].join('\n');
}

/** Compiles files that are nowhere but here, in one program, and gives what the compiler says of each. */
function complaintsAbout(
  files: readonly { readonly file: string; readonly text: string }[],
  host: ts.CompilerHost,
): [string, string[]][] {
  const texts = new Map(files.map(({ file, text }) => [file, text]));
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
  return files.map(({ file }) => {
    const source = program.getSourceFile(file);
    const said = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return [file, said.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))];
  });
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
