// Reads declarations from the sources: members of interfaces with their doc comments, and closed lists of words. The reference
// pages are generated from these, or compared with them.

import { join } from "node:path";
import ts from "typescript";
import { ROOT, textOf } from "./pages.ts";

export interface Member {
  readonly name: string;
  /** For an event, the names of its fields: `reason`. */
  readonly carries: readonly string[];
  /** Its doc comment as one line, without the tags. */
  readonly text: string;
  /** The text of `@defaultValue`, up to the end of the sentence. */
  readonly byDefault: string | undefined;
}

/** The members of an interface or a class, in the order of the source. @param file a path from the root */
export function membersOf(file: string, name: string): Member[] {
  const members: readonly (ts.TypeElement | ts.ClassElement)[] = declarationOf(file, name).members;
  return members.flatMap((member) => {
    if (member.name === undefined || ts.isIndexSignatureDeclaration(member)) return [];
    const comments = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
    const tag = ts.getJSDocTags(member).find(({ tagName }) => tagName.text === "defaultValue");
    const [first = "", ...more] = oneLine(tag?.comment).split(/(?<=\.) /);
    return {
      name: ts.isIdentifier(member.name) || ts.isStringLiteral(member.name) ? member.name.text : member.name.getText(),
      carries: carriedBy(member),
      text: [...comments.map(({ comment }) => oneLine(comment)), ...more].filter((part) => part !== "").join(" "),
      byDefault: first === "" ? undefined : first.replace(/\.$/, ""),
    };
  });
}

/** Whether `name` is a class: an option schema, with one field per option. */
export function isSchema(file: string, name: string): boolean {
  return ts.isClassDeclaration(declarationOf(file, name));
}

function declarationOf(file: string, name: string): ts.InterfaceDeclaration | ts.ClassDeclaration {
  const isMeant = (node: ts.Node): node is ts.InterfaceDeclaration | ts.ClassDeclaration =>
    (ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node)) && node.name?.text === name;
  const declaration = find(file, isMeant);
  if (declaration === undefined || !isMeant(declaration)) throw new Error(`${file} has no ${name}`);
  return declaration;
}

/** The words of a type that is a union of string literals. */
export function wordsOf(file: string, name: string): string[] {
  const declaration = find(file, (node) => ts.isTypeAliasDeclaration(node) && node.name.text === name);
  if (declaration === undefined || !ts.isTypeAliasDeclaration(declaration)) throw new Error(`${file} has no ${name}`);
  const { type } = declaration;
  return (ts.isUnionTypeNode(type) ? [...type.types] : [type]).map((part) => {
    if (ts.isLiteralTypeNode(part) && ts.isStringLiteral(part.literal)) return part.literal.text;
    throw new Error(`${name} in ${file} is more than a list of words: ${part.getText()}`);
  });
}

/** The titles of the tests in a file: the first argument of `test` and its variants, and the names of cases, without `todo`. */
export function titlesIn(file: string): ReadonlySet<string> {
  const titles = new Set<string>();
  visit(file, (node) => {
    const title = ts.isCallExpression(node) ? titleOfCall(node) : nameOfCase(node);
    if (title !== undefined) titles.add(title);
  });
  return titles;
}

function titleOfCall(call: ts.CallExpression): string | undefined {
  const [title, body] = call.arguments;
  const isTest = /^test\b(?!\.(todo|skip\b))/.test(call.expression.getText());
  return isTest && title !== undefined && body !== undefined ? literal(title) : undefined;
}

/** A case is an object with a `name` and a `run`. */
function nameOfCase(node: ts.Node): string | undefined {
  if (!ts.isObjectLiteralExpression(node)) return undefined;
  const fields = new Map(node.properties.map((property) => [property.name?.getText(), property]));
  const name = fields.get("name");
  if (!fields.has("run") || name === undefined || !ts.isPropertyAssignment(name)) return undefined;
  return literal(name.initializer);
}

function literal(node: ts.Node): string | undefined {
  return ts.isStringLiteralLike(node) ? node.text : undefined;
}

function carriedBy(member: ts.TypeElement | ts.ClassElement): string[] {
  if (ts.isMethodSignature(member)) return member.parameters.map(({ name }) => name.getText());
  if (!ts.isPropertySignature(member) || member.type === undefined) return [];
  const type = aliased(member.type);
  if (ts.isFunctionTypeNode(type)) return type.parameters.map(({ name }) => name.getText());
  if (!ts.isTupleTypeNode(type)) return [];
  return type.elements.flatMap((element) => {
    if (!ts.isNamedTupleMember(element)) return [];
    const fields = fieldsOf(element.type);
    return fields ? fields.map((field) => field.name?.getText() ?? "") : [element.name.text];
  });
}

/** The type that a name in the same file refers to, or the type itself. */
function aliased(type: ts.TypeNode): ts.TypeNode {
  const aliases = type.getSourceFile().statements.filter(ts.isTypeAliasDeclaration);
  return aliases.find(({ name }) => name.text === type.getText())?.type ?? type;
}

/** The fields of an object type, inline or an interface of the same file. */
function fieldsOf(type: ts.TypeNode): readonly ts.TypeElement[] | undefined {
  if (ts.isTypeLiteralNode(type)) return type.members;
  return type
    .getSourceFile()
    .statements.filter(ts.isInterfaceDeclaration)
    .find(({ name }) => name.text === type.getText())?.members;
}

function oneLine(comment: ReturnType<typeof ts.getTextOfJSDocComment> | ts.JSDoc["comment"]): string {
  const text = typeof comment === "string" ? comment : ts.getTextOfJSDocComment(comment);
  return (text ?? "").replaceAll(/\s+/g, " ").trim();
}

function find(file: string, isIt: (node: ts.Node) => boolean): ts.Node | undefined {
  let found: ts.Node | undefined;
  visit(file, (node) => {
    if (isIt(node)) found ??= node;
  });
  return found;
}

function visit(file: string, look: (node: ts.Node) => void): void {
  const source = ts.createSourceFile(join(ROOT, file), textOf(file), ts.ScriptTarget.ESNext, true);
  const walk = (node: ts.Node): void => {
    look(node);
    ts.forEachChild(node, walk);
  };
  walk(source);
}
