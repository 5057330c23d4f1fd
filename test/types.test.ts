/** What must not compile does not, with a message that names the missing step; what must compile keeps its types. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import ts from 'typescript';
import { inProject } from './support/paths.js';

const FOLDER = inProject('test/types');
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.ts') && name !== 'support.ts');

/** Lines without an empty one between them: `// error: text` in a paragraph speaks of the paragraph. */
interface Paragraph {
  readonly first: number;
  readonly last: number;
  readonly expected: readonly string[];
}

function paragraphs(source: string): Paragraph[] {
  const found: Paragraph[] = [];
  let first: number | undefined;
  const lines = [...source.split('\n'), ''];
  for (const [at, line] of lines.entries()) {
    if (line.trim() !== '') first ??= at;
    else if (first !== undefined) {
      const expected = lines.slice(first, at).flatMap((text) => /\/\/ error: (.+)$/.exec(text)?.[1] ?? []);
      found.push({ first, last: at - 1, expected });
      first = undefined;
    }
  }
  return found;
}

/** What the compiler says of the files, as a user's compiler would against the package's own declarations. */
function diagnose(names: readonly string[]): ts.Diagnostic[] {
  const { config } = ts.readConfigFile(inProject('tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, inProject('.'));
  for (const key of ['rootDir', 'outDir', 'declaration', 'sourceMap', 'noUnusedLocals', 'noUnusedParameters']) {
    delete options[key];
  }
  const paths = names.map((name) => join(FOLDER, name));
  const program = ts.createProgram(paths, { ...options, noEmit: true });
  return [...ts.getPreEmitDiagnostics(program)];
}

// Each file is a program of its own: what one declares by merging must not help another.
for (const name of files) {
  const source = readFileSync(join(FOLDER, name), 'utf8');
  const blocks = paragraphs(source);
  const refused = blocks.flatMap(({ expected }) => expected).length;
  test(`${name}: the compiler refuses ${refused} statements, naming what is wrong, and takes the others`, (t) => {
    const said = diagnose([name]).map((diagnostic) => ({
      line: diagnostic.file?.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line ?? -1,
      inFile: diagnostic.file?.fileName.endsWith(`/${name}`) ?? false,
      text: ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'),
    }));
    for (const { first, last, expected } of blocks) {
      const here = said.filter(({ line, inFile }) => inFile && line >= first && line <= last);
      const where = `${name}:${first + 1}`;
      for (const text of expected) {
        t.true(
          here.some((one) => one.text.includes(text)),
          `${where}: no error says ${text}; the compiler says ${show(here)}`,
        );
      }
      if (expected.length === 0) t.deepEqual(here, [], where);
    }
    t.deepEqual(
      said.filter(({ inFile }) => !inFile),
      [],
    );
  });
}

test('the cases refuse a missing step, a step not had, an unknown name and a name that is no image', (t) => {
  const expected = files.flatMap((name) =>
    paragraphs(readFileSync(join(FOLDER, name), 'utf8')).flatMap((p) => p.expected),
  );
  for (const text of [
    'MissingStep<"maxima">',
    'MissingStep<"shape">',
    'MissingStep<"nuclei">',
    '"maxima"',
    '"backgruond"',
  ]) {
    t.true(
      expected.some((one) => one.includes(text)),
      text,
    );
  }
});

function show(said: readonly { readonly text: string }[]): string {
  return said.length === 0 ? 'nothing' : said.map(({ text }) => text).join(' | ');
}
