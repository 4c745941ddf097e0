/** What Callmend wraps: a fetch that takes a request, and nothing else. */
export type Fetch = (request: Request) => Promise<Response>;
