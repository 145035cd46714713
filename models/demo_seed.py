"""The installation row of the sample portfolio."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from models.installation import load_installation
from models.tables.system import InstallationRow


async def name_installation(
    session: AsyncSession, *, company: str, product: str, holdout_salt: str, holdout_share: float
) -> None:
    """Name company and product, and fix who is held out, so that a seed gives the same holdout."""
    await load_installation(session)
    await session.execute(
        update(InstallationRow).values(
            company_name=company,
            product_name=product,
            holdout_salt=holdout_salt,
            holdout_share=holdout_share,
        )
    )
