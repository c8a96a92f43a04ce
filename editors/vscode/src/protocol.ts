/**
 * The operations of the server that the extension asks for, and their types: see editors/protocol.md.
 *
 * The language client is only loaded when a server is started: nothing here needs it.
 */
import type { Range } from "vscode-languageclient/node";

/** A request of the server's, with the types of what is asked and answered. */
export interface Operation<Params, Result> {
  readonly method: string;
  /** Holds nothing: it ties the types to the operation. */
  readonly types?: (params: Params) => Result;
}

export type SearchMode = "hybrid" | "semantic" | "lexical";

export interface SearchParams {
  readonly query: string;
  readonly limit?: number;
  readonly globs?: readonly string[];
  readonly languages?: readonly string[];
  readonly mode?: SearchMode;
  readonly author?: string;
  readonly changedSince?: string;
  readonly changedBefore?: string;
  readonly snippetLines?: number;
  readonly supersedeToken?: string;
}

export interface SimilarParams {
  readonly uri: string;
  readonly range: Range;
  readonly limit?: number;
  readonly globs?: readonly string[];
  readonly languages?: readonly string[];
  readonly snippetLines?: number;
}

export interface Hit {
  readonly uri: string;
  readonly path: string;
  readonly range: Range;
  readonly symbol?: string;
  readonly kind?: string;
  readonly language: string;
  readonly score: number;
  readonly snippet: string;
  readonly snippetStartLine: number;
  readonly stale: boolean;
  readonly sharedIdentifiers?: readonly string[];
}

export interface Freshness {
  readonly generation: number;
  readonly pending: number;
  readonly complete: boolean;
  readonly refined: number;
}

export interface SearchResult {
  readonly hits: readonly Hit[];
  readonly freshness: Freshness;
  readonly stoppedEarly?: boolean;
}

export interface Person {
  readonly name: string;
  readonly email: string;
  readonly time: number;
  readonly offset: number;
}

export interface Commit {
  readonly id: string;
  readonly shortId: string;
  readonly author: Person;
  readonly committer: Person;
  readonly summary: string;
  readonly message: string;
  readonly parents: readonly string[];
  readonly url?: string;
}

export interface BlameHunk {
  readonly startLine: number;
  readonly endLine: number;
  readonly commit: string | null;
  readonly originalLine: number;
  readonly originalPath: string;
}

export interface BlameResult {
  readonly hunks: readonly BlameHunk[];
  readonly commits: Readonly<Record<string, Commit>>;
  readonly version: number | null;
  readonly cutOff: readonly string[];
}

export interface BlameParams {
  readonly uri: string;
  readonly startLine: number;
  readonly endLine: number;
}

export interface HistoryParams {
  readonly uri: string;
  readonly range?: Range;
  readonly limit?: number;
  readonly cursor?: string;
  readonly counts?: boolean;
}

export type ChangeStatus = "A" | "M" | "D" | "R" | "C";

export interface HistoryEntry extends Commit {
  readonly path: string;
  readonly previousPath?: string;
  readonly status: ChangeStatus;
  readonly additions: number | null;
  readonly deletions: number | null;
}

export interface HistoryResult {
  readonly entries: readonly HistoryEntry[];
  readonly nextCursor?: string;
  readonly boundary?: "shallow" | "partial";
}

export interface CommitSearchParams {
  readonly query: string;
  readonly limit?: number;
  readonly author?: string;
  readonly since?: string;
  readonly before?: string;
  readonly paths?: readonly string[];
}

export interface CommitHit extends Commit {
  readonly score: number;
  readonly paths: readonly string[];
}

export interface CommitSearchResult {
  readonly commits: readonly CommitHit[];
  readonly complete: boolean;
  readonly indexed: number;
}

export interface FileAtRevisionParams {
  readonly uri: string;
  readonly commit: string;
}

export type IndexState = "scanning" | "indexing" | "ready" | "merging" | "failed";

export interface FolderStatus {
  readonly uri: string;
  readonly state: IndexState;
  readonly files: number;
  readonly chunks: number;
  readonly pending: number;
  readonly generation: number;
  readonly primary: { readonly kind: string; readonly vectors: number; readonly recall?: number };
  readonly secondary: { readonly vectors: number };
  readonly tombstones: number;
  readonly embedder: string;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly notices: readonly string[];
  readonly lastError?: string;
}

export interface IndexStatusResult {
  readonly folders: readonly FolderStatus[];
}

export interface IndexParams {
  readonly folder?: string;
  readonly workDoneToken?: string;
}

export interface UpdateParams {
  readonly uris?: readonly string[];
  readonly workDoneToken?: string;
}

export interface ShownResult {
  readonly uri: string;
  readonly shown: boolean;
}

export interface ServerStatus {
  readonly health: "ok" | "warning" | "error";
  readonly state: IndexState;
  readonly message: string;
}

export const SemanticSearch: Operation<SearchParams, SearchResult> = { method: "codeintel/semanticSearch" };
export const FindSimilar: Operation<SimilarParams, SearchResult> = { method: "codeintel/findSimilar" };
export const BlameRange: Operation<BlameParams, BlameResult> = { method: "codeintel/blameRange" };
export const FileHistory: Operation<HistoryParams, HistoryResult> = { method: "codeintel/fileHistory" };
export const FileAtRevision: Operation<FileAtRevisionParams, { text: string }> = { method: "codeintel/fileAtRevision" };
export const SearchHistory: Operation<CommitSearchParams, CommitSearchResult> = { method: "codeintel/searchHistory" };
export const OpenCommit: Operation<FileAtRevisionParams, ShownResult> = { method: "codeintel/openCommit" };
export const IndexStatus: Operation<object, IndexStatusResult> = { method: "codeintel/indexStatus" };
export const UpdateIndex: Operation<UpdateParams, IndexStatusResult> = { method: "codeintel/updateIndex" };
export const RebuildIndex: Operation<IndexParams, IndexStatusResult> = { method: "codeintel/rebuildIndex" };
export const MergeIndexes: Operation<IndexParams, IndexStatusResult> = { method: "codeintel/mergeIndexes" };
export const PrintDebugInformation: Operation<object, { text: string }> = { method: "codeintel/printDebugInformation" };
/** The notification of a `ServerStatus`. */
export const STATUS = "codeintel/status";
