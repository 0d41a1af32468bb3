"""Liveness, readiness and metrics of a gateway replica."""

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.seats_board import SeatsBoard


def health_routes(board: SeatsBoard) -> list[HTTPRouteHandler]:
    """Make the routes that the balancer and the monitoring ask."""

    @get(["/health/live", "/health/ready"], include_in_schema=False)
    async def live() -> dict[str, str]:
        # a replica that answers is ready: it says page by page which service is away, and shows
        # live seats once it knows them
        return {"status": "ready", "live_seats": "current" if board.is_current else "unknown"}

    @get("/metrics", include_in_schema=False)
    async def metrics() -> Response[bytes]:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [live, metrics]
