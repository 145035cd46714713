"""What every handler of the simulated account may ask for."""

from litestar.di import NamedDependency

from integrations.simulators.sendgrid.provider import SimulatedSendGrid
from integrations.simulators.sendgrid.reactions import Reader
from integrations.simulators.signing import SigningKey

GivenProvider = NamedDependency[SimulatedSendGrid]
GivenReader = NamedDependency[Reader]
GivenKey = NamedDependency[SigningKey]
